; iConnect-Setup.exe. Called by installer.build, which gives VERSION, VERSION_NUMBERS, BUNDLE, OUT, KILOBYTES, COMPRESSION,
; SAFE_AS_SYSTEM and, where the release signs, SIGN.
;
;   /S               silent            /AllUsers, /CurrentUser   for the whole PC (needs an administrator), or for this person
;   /PLATFORM=FILE   the firm's platform file, copied to where iConnect looks for it
;   /AUTOSTART=0|1   start at sign-in; an upgrade without it keeps what was chosen
;   /D=FOLDER        where to, the last one on the line
; Exit status: 0 done, 1 cancelled, 2 stopped (wrong system, unreadable platform file, something still being sent, run as SYSTEM).
;
; The same setup run again repairs; a newer one upgrades in place. What persons own (queue, sign-ins, settings) lies in their own
; folders, and nothing here touches it.

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

!include "MultiUser.nsh"
!include "MUI2.nsh"
!include "LogicLib.nsh"
!include "Sections.nsh"
!include "FileFunc.nsh"
!include "WinVer.nsh"
!include "x64.nsh"

Name "${NAME}"
OutFile "${OUT}"
BrandingText "${NAME} ${VERSION}"
ManifestDPIAware true
ManifestSupportedOS Win10
CRCCheck force
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
Var Waited

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

!macro Stop TEXT
  MessageBox MB_OK|MB_ICONSTOP "${TEXT}" /SD IDOK
  SetErrorLevel 2
  Quit
!macroend

Function un.onInit
  !insertmacro RefuseSystem
  SetRegView 64
  !insertmacro MULTIUSER_UNINIT
FunctionEnd

; Lets a send come to its end, then ends the program: its queue is on disk and the next start goes on from there.
!macro EndRunning UN
Function ${UN}EndRunning
  StrCpy $Waited 0
  ${Do}
    ClearErrors
    FileOpen $0 "$INSTDIR\${TRAY}" a
    ${IfNot} ${Errors}
      FileClose $0
      Return
    ${EndIf}
    ${IfNot} ${FileExists} "$INSTDIR\${TRAY}"
      Return
    ${EndIf}
    nsExec::ExecToStack '"$INSTDIR\${COMMANDS}" -m installer.undelivered --in-flight'
    Pop $0
    Pop $1
    ${If} $0 != 1
      ${If} $Waited < 10
        nsExec::Exec '"$SYSDIR\taskkill.exe" /T /IM ${TRAY}'
      ${Else}
        nsExec::Exec '"$SYSDIR\taskkill.exe" /F /T /IM ${TRAY}'
      ${EndIf}
      Pop $0
      Sleep 2000
      IntOp $Waited $Waited + 5
      ${If} $Waited > 60
        !insertmacro Stop "${NAME} is running and could not be ended. Quit it from the tray's menu, then run this again."
      ${EndIf}
    ${ElseIf} ${Silent}
      Sleep 5000
      IntOp $Waited $Waited + 5
      ${If} $Waited > 180
        !insertmacro Stop "${NAME} is still sending. Nothing was changed."
      ${EndIf}
    ${Else}
      MessageBox MB_RETRYCANCEL|MB_ICONINFORMATION "$1$\r$\nPlease wait until it is sent, then press Retry." IDRETRY +3
      SetErrorLevel 1
      Quit
    ${EndIf}
  ${Loop}
FunctionEnd
!macroend
!insertmacro EndRunning ""
!insertmacro EndRunning "un."

; ---- install, upgrade, repair ------------------------------------------------------------------------------------------------

Section "!${NAME}" MAIN
  SectionIn RO
  SetRegView 64
  ${If} ${FileExists} "$INSTDIR\${TRAY}"
    Call EndRunning
    ; A part that the new version has no more must not be found by it.
    RMDir /r "$INSTDIR\_internal"
  ${EndIf}
  SetOutPath "$INSTDIR"
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
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" ${KILOBYTES}
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1

  ; $LOCALAPPDATA is %PROGRAMDATA% when it is for all users: in both cases the folder in which iConnect looks.
  ${If} $MultiUser.InstallMode == "AllUsers"
    CreateDirectory "$LOCALAPPDATA\${NAME}"
    ; Windows lets everybody write below %PROGRAMDATA%; the firm's file is for administrators to change.
    nsExec::Exec '"$SYSDIR\icacls.exe" "$LOCALAPPDATA\${NAME}" /setowner *S-1-5-32-544 /T /C /Q'
    Pop $0
    nsExec::Exec '"$SYSDIR\icacls.exe" "$LOCALAPPDATA\${NAME}" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX /Q'
    Pop $0
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
  !insertmacro MULTIUSER_INIT
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PLATFORM=" $Platform
  ${If} $Platform != ""
  ${AndIfNot} ${FileExists} "$Platform"
    !insertmacro Stop "The platform file $Platform can't be read. Nothing was installed."
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
  nsExec::ExecToStack '"$INSTDIR\${COMMANDS}" -m installer.undelivered'
  Pop $0
  Pop $1
  ${If} $0 == 1
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$1$\r$\nThey are kept on this PC and go on when ${NAME} is installed again, but not until then. Uninstall now?" /SD IDYES IDYES goOn
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
SectionEnd
