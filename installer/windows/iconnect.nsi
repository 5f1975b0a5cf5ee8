; iConnect-Setup.exe. Called by installer.build, which gives VERSION, VERSION_NUMBERS, BUNDLE, OUT, KILOBYTES, COMPRESSION,
; SAFE_AS_SYSTEM and, where the release signs, SIGN.
;
;   /S               silent            /AllUsers, /CurrentUser   for the whole PC (needs an administrator), or for this person
;   /PLATFORM=FILE   the firm's platform file, copied to where iConnect looks for it
;   /AUTOSTART=0|1   start at sign-in; an upgrade without it keeps what was chosen
;   /D=FOLDER        where to, the last one on the line
;
; Uninstall.exe takes /S, /AllUsers, /CurrentUser, and
;   /IFDELIVERED     silent: goes only when everything of this person is delivered and confirmed
;   /REMOVEDATA      silent: takes this person's queue, settings and logs too; only when everything is delivered and confirmed
;
; Exit status, of both: 0 done, 1 cancelled, 2 stopped (wrong system, unreadable platform file, run as SYSTEM, disk refuses), 3 the
; program is still sending or could not be asked to quit, 4 a newer version is installed, 5 something is not yet delivered. Except
; where the disk refuses, nothing was changed.
;
; The same setup run again repairs; a newer one upgrades in place; an older one is refused. What persons own (queue, sign-ins,
; settings) lies in their own folders, and nothing here touches it unless /REMOVEDATA says so. No program is ever killed.

Unicode true
Target amd64-unicode
!if "${COMPRESSION}" == "lzma"
  SetCompressor /SOLID lzma
  SetCompressorDictSize 64
!else
  SetCompressor zlib
!endif

!define NAME "iConnect"
!define TRAY "iConnect-Tray.exe"
!define COMMANDS "iconnect.exe"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\iConnect"
!define RUN_KEY "Software\Microsoft\Windows\CurrentVersion\Run"

!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_MUI
!define MULTIUSER_INSTALLMODE_COMMANDLINE
!define MULTIUSER_INSTALLMODE_INSTDIR "iConnect"
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_KEY "${UNINSTALL_KEY}"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_VALUENAME "UninstallString"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "${UNINSTALL_KEY}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "InstallLocation"
!define MULTIUSER_INSTALLMODE_FUNCTION KeepFolder

!include "MultiUser.nsh"
!include "MUI2.nsh"
!include "LogicLib.nsh"
!include "Sections.nsh"
!include "FileFunc.nsh"
!include "WordFunc.nsh"
!include "WinVer.nsh"
!include "x64.nsh"

Name "${NAME}"
OutFile "${OUT}"
BrandingText "${NAME} ${VERSION}"
ManifestDPIAware true
ManifestSupportedOS Win10
CRCCheck force
; A file that can't be written ends a silent setup instead of being left out.
AllowSkipFiles off
ShowInstDetails nevershow
ShowUninstDetails nevershow

VIProductVersion "${VERSION_NUMBERS}"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${NAME} Setup"
VIAddVersionKey "CompanyName" "${NAME}"
VIAddVersionKey "LegalCopyright" "${NAME}"
VIAddVersionKey "OriginalFilename" "iConnect-Setup.exe"

!ifdef SIGN
  !uninstfinalize '${SIGN}' = 0
!endif

!define MUI_ICON "iconnect.ico"
!define MUI_UNICON "iconnect.ico"
!define MUI_ABORTWARNING
!define MUI_WELCOMEPAGE_TEXT "This puts ${NAME} ${VERSION} on this PC, or brings one that is there up to date or in order.$\r$\n$\r$\nCosts and documents that are on their way are kept, and so are your sign-ins and settings."
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_TEXT "Start ${NAME} now"
!define MUI_FINISHPAGE_RUN_FUNCTION StartAsPerson
!insertmacro MUI_PAGE_WELCOME
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Var Platform
Var Folder
Var Waited
Var NotDelivered

; ---- before anything is changed ----------------------------------------------------------------------------------------------

!macro RefuseSystem
  !if "${SAFE_AS_SYSTEM}" == "0"
    ; Asked of the environment, because a plug-in would already be unpacked where others may write.
    ReadEnvStr $0 USERPROFILE
    StrCpy $1 $0 "" -13
    ${If} $1 == "systemprofile"
      SetErrorLevel 2
      Quit
    ${EndIf}
  !endif
!macroend

; Everybody may read the folder, administrators and the system may change it.
!macro ForAdministrators FOLDER
  nsExec::Exec '"$SYSDIR\icacls.exe" "${FOLDER}" /setowner *S-1-5-32-544 /T /C /Q'
  Pop $0
  nsExec::Exec '"$SYSDIR\icacls.exe" "${FOLDER}" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX /Q'
  Pop $0
!macroend

!macro StopWith STATUS TEXT
  MessageBox MB_OK|MB_ICONSTOP "${TEXT}" /SD IDOK
  SetErrorLevel ${STATUS}
  Quit
!macroend
!macro Stop TEXT
  !insertmacro StopWith 2 "${TEXT}"
!macroend

; Choosing for whom sets the folder anew. The one on the line counts, unless iConnect is installed already: it is upgraded in place.
Function KeepFolder
  ${If} $Folder != ""
  ${AndIf} $MultiUser.InstDir == ""
    StrCpy $INSTDIR $Folder
  ${EndIf}
FunctionEnd

Function un.onInit
  !insertmacro RefuseSystem
  SetRegView 64
  !insertmacro MULTIUSER_UNINIT
FunctionEnd

; Gives 1 in $0 when a file is held by a running program.
!macro HeldFile FILE
  ${If} $0 == 0
  ${AndIf} ${FileExists} "${FILE}"
    ClearErrors
    FileOpen $1 "${FILE}" a
    ${If} ${Errors}
      StrCpy $0 1
    ${Else}
      FileClose $1
    ${EndIf}
  ${EndIf}
!macroend

; Asks the program to quit when nothing is in flight, and waits until its files are free. Its queue is on disk: the next start goes
; on from there. Nothing is killed. It asks the person's own program; one that runs in somebody else's session can only be waited for.
!macro EndRunning UN
Function ${UN}Held
  StrCpy $0 0
  !insertmacro HeldFile "$INSTDIR\${TRAY}"
  !insertmacro HeldFile "$INSTDIR\${COMMANDS}"
FunctionEnd

Function ${UN}EndRunning
  ${Do}
    Call ${UN}Held
    ${If} $0 == 0
      Return
    ${EndIf}
    ${If} ${Silent}
      StrCpy $2 ${WAIT_SILENT}
    ${Else}
      StrCpy $2 20
    ${EndIf}
    nsExec::ExecToStack '"$INSTDIR\${COMMANDS}" quit --when-idle --wait $2'
    Pop $3
    Pop $4
    ${If} $3 == 0
      ; Its process, or a command that was started in a window, needs a moment to leave.
      StrCpy $Waited 0
      ${Do}
        Call ${UN}Held
        ${If} $0 == 0
          Return
        ${EndIf}
        Sleep 500
        IntOp $Waited $Waited + 1
      ${LoopUntil} $Waited >= 60
      StrCpy $4 "${NAME} is open in another person's session, or one of its commands is running. Quit it there."
    ${ElseIf} $3 == 1
      StrCpy $4 "${NAME} has something to finish first ($4). Wait until it is sent, and close its order windows."
    ${Else}
      StrCpy $4 "${NAME} is running and could not be asked to quit. Quit it from the tray's menu."
    ${EndIf}
    ${If} ${Silent}
      SetErrorLevel 3
      Quit
    ${EndIf}
    MessageBox MB_RETRYCANCEL|MB_ICONINFORMATION "$4$\r$\nThen press Retry. Nothing was changed yet." IDRETRY again
    SetErrorLevel 1
    Quit
    again:
  ${Loop}
FunctionEnd
!macroend
!insertmacro EndRunning ""
!insertmacro EndRunning "un."

; ---- install, upgrade, repair ------------------------------------------------------------------------------------------------

Section "!${NAME}" MAIN
  SectionIn RO
  SetRegView 64
  Call EndRunning
  ; A part that the new version has no more must not be found by it.
  RMDir /r "$INSTDIR\_internal"
  SetOutPath "$INSTDIR"
  ${If} $MultiUser.InstallMode == "AllUsers"
    ; Program Files is the administrators'. A folder elsewhere may let everybody write, and what stands in it would run for all.
    StrLen $0 "$PROGRAMFILES64\"
    StrCpy $1 "$INSTDIR\" $0
    ${If} $1 != "$PROGRAMFILES64\"
      !insertmacro ForAdministrators "$INSTDIR"
    ${EndIf}
  ${EndIf}
  File /r "${BUNDLE}\*"
  WriteUninstaller "$INSTDIR\Uninstall.exe"
  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${TRAY}" "" "$INSTDIR\${TRAY}" 0

  ; A link brings the tray forward; whatever else it says is not looked at.
  WriteRegStr SHCTX "Software\Classes\iconnect" "" "URL:${NAME}"
  WriteRegStr SHCTX "Software\Classes\iconnect" "URL Protocol" ""
  WriteRegStr SHCTX "Software\Classes\iconnect\DefaultIcon" "" '"$INSTDIR\${TRAY}",0'
  WriteRegStr SHCTX "Software\Classes\iconnect\shell\open\command" "" '"$INSTDIR\${TRAY}" --link "%1"'
  WriteRegStr SHCTX "Software\Microsoft\Windows\CurrentVersion\App Paths\${COMMANDS}" "" "$INSTDIR\${COMMANDS}"

  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "${NAME}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${TRAY}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "${NAME}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\Uninstall.exe" /$MultiUser.InstallMode'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\Uninstall.exe" /S /$MultiUser.InstallMode'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "VersionNumbers" "${VERSION_NUMBERS}"
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" ${KILOBYTES}
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1

  ; $LOCALAPPDATA is %PROGRAMDATA% when it is for all users: in both cases the folder in which iConnect looks.
  ${If} $MultiUser.InstallMode == "AllUsers"
    CreateDirectory "$LOCALAPPDATA\${NAME}"
    ; Windows lets everybody write below %PROGRAMDATA%; the firm's file is for administrators to change.
    !insertmacro ForAdministrators "$LOCALAPPDATA\${NAME}"
  ${EndIf}
  ${If} $Platform != ""
    CreateDirectory "$LOCALAPPDATA\${NAME}"
    ClearErrors
    CopyFiles /SILENT "$Platform" "$LOCALAPPDATA\${NAME}\platform.toml"
    ${If} ${Errors}
      !insertmacro Stop "The platform file could not be copied to $LOCALAPPDATA\${NAME}\platform.toml."
    ${EndIf}
  ${EndIf}
SectionEnd

Section "Start at sign-in" AUTOSTART
  WriteRegStr SHCTX "${RUN_KEY}" "${NAME}" '"$INSTDIR\${TRAY}"'
SectionEnd

Section -NotAtSignIn
  ${IfNot} ${SectionIsSelected} ${AUTOSTART}
    DeleteRegValue SHCTX "${RUN_KEY}" "${NAME}"
  ${EndIf}
SectionEnd

Function .onInit
  !insertmacro RefuseSystem
  ${IfNot} ${RunningX64}
  ${OrIfNot} ${AtLeastWin10}
    !insertmacro Stop "${NAME} needs a 64-bit Windows 10 or newer."
  ${EndIf}
  SetRegView 64
  StrCpy $Folder $INSTDIR
  !insertmacro MULTIUSER_INIT
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PLATFORM=" $Platform
  ${If} $Platform != ""
  ${AndIfNot} ${FileExists} "$Platform"
    !insertmacro Stop "The platform file $Platform can't be read. Nothing was installed."
  ${EndIf}

  ; The older version could not read what the newer one has written.
  ReadRegStr $1 SHCTX "${UNINSTALL_KEY}" "VersionNumbers"
  ${If} $1 != ""
    ${VersionCompare} "$1" "${VERSION_NUMBERS}" $2
    ${If} $2 == 1
      ReadRegStr $1 SHCTX "${UNINSTALL_KEY}" "DisplayVersion"
      !insertmacro StopWith 4 "${NAME} $1 is installed, which is newer than this ${VERSION}. Nothing was changed. To go back, remove ${NAME} first; what is on its way stays."
    ${EndIf}
  ${EndIf}

  ; Starting at sign-in: as the line says; else, on a PC that has iConnect, as it stands; else yes.
  ClearErrors
  ${GetOptions} $0 "/AUTOSTART=" $1
  ${If} ${Errors}
    ReadRegStr $2 SHCTX "${UNINSTALL_KEY}" "InstallLocation"
    ReadRegStr $3 SHCTX "${RUN_KEY}" "${NAME}"
    ${If} $2 != ""
    ${AndIf} $3 == ""
      StrCpy $1 0
    ${EndIf}
  ${EndIf}
  ${If} $1 == "0"
    !insertmacro UnselectSection ${AUTOSTART}
  ${EndIf}
FunctionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${MAIN} "The program, its entry in the Start menu and the iconnect: links."
  !insertmacro MUI_DESCRIPTION_TEXT ${AUTOSTART} "iConnect is in the tray whenever you sign in to Windows."
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Function StartAsPerson
  ; By way of the desktop, which is not elevated when the setup is.
  Exec '"$WINDIR\explorer.exe" "$INSTDIR\${TRAY}"'
FunctionEnd

; ---- uninstall ---------------------------------------------------------------------------------------------------------------

Section "Uninstall"
  SetRegView 64
  ${GetParameters} $5
  nsExec::ExecToStack '"$INSTDIR\${COMMANDS}" -m installer.undelivered'
  Pop $NotDelivered
  Pop $1
  ${If} ${Silent}
    ${If} $NotDelivered != 0
      ClearErrors
      ${GetOptions} $5 "/IFDELIVERED" $2
      ${IfNot} ${Errors}
        SetErrorLevel 5
        Quit
      ${EndIf}
      ClearErrors
      ${GetOptions} $5 "/REMOVEDATA" $2
      ${IfNot} ${Errors}
        SetErrorLevel 5
        Quit
      ${EndIf}
    ${EndIf}
  ${ElseIf} $NotDelivered == 1
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$1$\r$\nThey are kept on this PC and go on when ${NAME} is installed again, but not until then. Uninstall now?" IDYES goOn
    SetErrorLevel 1
    Quit
    goOn:
  ${EndIf}
  Call un.EndRunning
  Delete "$SMPROGRAMS\${NAME}.lnk"
  DeleteRegValue SHCTX "${RUN_KEY}" "${NAME}"
  DeleteRegKey SHCTX "Software\Classes\iconnect"
  DeleteRegKey SHCTX "Software\Microsoft\Windows\CurrentVersion\App Paths\${COMMANDS}"
  DeleteRegKey SHCTX "${UNINSTALL_KEY}"
  ; Only what the setup put there: the folder may have been chosen by hand and hold other things.
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\${TRAY}"
  Delete "$INSTDIR\${COMMANDS}"
  Delete "$INSTDIR\Uninstall.exe"
  RMDir "$INSTDIR"
  ${If} ${Silent}
    ClearErrors
    ${GetOptions} $5 "/REMOVEDATA" $2
    ${IfNot} ${Errors}
      SetShellVarContext current
      RMDir /r "$LOCALAPPDATA\${NAME}"
    ${EndIf}
  ${EndIf}
SectionEnd
